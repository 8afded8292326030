//! What a client says to a server of PostgreSQL, read on its way.
//!
//! The messages are those of "Frontend/Backend Protocol", version 3.

use std::{
    borrow::Cow,
    io,
    path::{Path, PathBuf},
};

use sqlx::postgres::PgConnectOptions;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, copy, split},
    net::{TcpStream, UnixStream},
};

/// A statement on its way to the server.
pub(super) enum Sent<'a> {
    /// It is run at once, and has no parameters.
    Query(&'a str),
    /// It is prepared.
    Parse(&'a str),
}

/// Passes on what the two say to each other until one of them ends. When `look` refuses a statement, the client is told
/// why, and that is the end.
///
/// # Errors
///
/// When the server is not there, or a connection breaks.
pub(super) async fn pass(
    client: UnixStream,
    database: &PgConnectOptions,
    look: impl FnMut(Sent<'_>) -> Result<(), String>,
) -> io::Result<()> {
    let host = database.get_host();
    let folder = database.get_socket().map(PathBuf::as_path).or_else(|| host.starts_with('/').then(|| Path::new(host)));
    if let Some(folder) = folder {
        let path = folder.join(format!(".s.PGSQL.{}", database.get_port()));
        return between(client, UnixStream::connect(path).await?, look).await;
    }
    let server = TcpStream::connect((host, database.get_port())).await?;
    server.set_nodelay(true)?;
    between(client, server, look).await
}

async fn between(
    client: UnixStream,
    server: impl AsyncRead + AsyncWrite,
    look: impl FnMut(Sent<'_>) -> Result<(), String>,
) -> io::Result<()> {
    let (mut from_client, mut to_client) = split(client);
    let (mut from_server, mut to_server) = split(server);
    let refused = tokio::select! {
        asked = ask(&mut from_client, &mut to_server, look) => asked?,
        answered = copy(&mut from_server, &mut to_client) => {
            answered?;
            None
        }
    };
    if let Some(why) = refused {
        to_client.write_all(&fatal(&why)).await?;
    }
    Ok(())
}

/// Passes on what the client says; ends with the reason when `look` refuses a statement.
async fn ask(
    client: &mut (impl AsyncRead + Unpin),
    server: &mut (impl AsyncWrite + Unpin),
    mut look: impl FnMut(Sent<'_>) -> Result<(), String>,
) -> io::Result<Option<String>> {
    // The first message has no kind.
    let mut message = Vec::new();
    read(client, &mut message).await?;
    server.write_all(&message).await?;
    loop {
        let kind = client.read_u8().await?;
        message.clear();
        message.push(kind);
        read(client, &mut message).await?;
        let body = message.get(HEAD..).unwrap_or_default();
        let looked = match kind {
            b'Q' => look(Sent::Query(&string(body).0)),
            // The name that it is prepared under comes first.
            b'P' => look(Sent::Parse(&string(string(body).1).0)),
            _ => Ok(()),
        };
        if let Err(why) = looked {
            return Ok(Some(why));
        }
        server.write_all(&message).await?;
    }
}

/// A kind, and a length.
const HEAD: usize = 5;

/// Adds a message to `into`: its length, itself included, and what it says.
async fn read(client: &mut (impl AsyncRead + Unpin), into: &mut Vec<u8>) -> io::Result<()> {
    let length = client.read_u32().await?;
    into.extend(length.to_be_bytes());
    let begin = into.len();
    let said = usize::try_from(length).unwrap_or(usize::MAX).saturating_sub(4);
    client.take(said as u64).read_to_end(into).await?;
    if into.len() - begin == said { Ok(()) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
}

/// A text that ends with a zero, and what comes after it.
fn string(bytes: &[u8]) -> (Cow<'_, str>, &[u8]) {
    let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
    let (text, rest) = bytes.split_at(end);
    (String::from_utf8_lossy(text), rest.get(1..).unwrap_or_default())
}

/// An error after which the connection is closed.
fn fatal(why: &str) -> Vec<u8> {
    let fields = format!("SFATAL\0VFATAL\0C0A000\0M{why}\0\0");
    let length = u32::try_from(fields.len() + 4).unwrap_or(u32::MAX);
    [b"E", &length.to_be_bytes()[..], fields.as_bytes()].concat()
}
