//! What of extensions is known to be harmless: functions that compute from their arguments, and types.
//!
//! Whether an extension is installed is said by the schema map. Operators need no list: those without a schema are
//! built-in ones or of an extension.

/// The extensions that have a function of this name.
pub(crate) fn functions(name: &str) -> impl Iterator<Item = &'static str> {
    having(FUNCTIONS, name)
}

/// The extensions that have a type of this name.
pub(crate) fn types(name: &str) -> impl Iterator<Item = &'static str> {
    having(TYPES, name)
}

fn having(table: &'static [(&str, &[&str])], name: &str) -> impl Iterator<Item = &'static str> {
    table.iter().filter(move |(_, names)| names.contains(&name)).map(|(extension, _)| *extension)
}

#[rustfmt::skip]
const TYPES: &[(&str, &[&str])] = &[
    ("citext", &["citext"]),
    ("cube", &["cube"]),
    ("hstore", &["hstore"]),
    ("isn", &["ean13", "isbn", "isbn13", "ismn", "ismn13", "issn", "issn13", "upc"]),
    ("ltree", &["lquery", "ltree", "ltxtquery"]),
    ("seg", &["seg"]),
    ("vector", &["halfvec", "sparsevec", "vector"]),
];

/// Not among them: functions that run SQL (`connectby`, `crosstab`, `dblink`), or look at pages, files or sessions.
#[rustfmt::skip]
const FUNCTIONS: &[(&str, &[&str])] = &[
    ("citext", &["citext"]),
    ("cube", &["cube", "cube_contained", "cube_contains", "cube_coord", "cube_dim", "cube_distance", "cube_enlarge",
        "cube_inter", "cube_is_point", "cube_ll_coord", "cube_overlap", "cube_size", "cube_subset", "cube_union",
        "cube_ur_coord"]),
    ("earthdistance", &["earth", "earth_box", "earth_distance", "gc_to_sec", "latitude", "ll_to_earth", "longitude",
        "sec_to_gc"]),
    ("fuzzystrmatch", &["difference", "dmetaphone", "dmetaphone_alt", "levenshtein", "levenshtein_less_equal",
        "metaphone", "soundex"]),
    ("hstore", &["akeys", "avals", "defined", "delete", "each", "exist", "hstore", "hstore_to_array",
        "hstore_to_json", "hstore_to_json_loose", "hstore_to_jsonb", "hstore_to_jsonb_loose", "hstore_to_matrix",
        "isdefined", "skeys", "slice", "svals"]),
    ("intarray", &["icount", "idx", "intset", "sort", "sort_asc", "sort_desc", "subarray", "uniq"]),
    ("ltree", &["index", "lca", "ltree2text", "nlevel", "subltree", "subpath", "text2ltree"]),
    ("pg_trgm", &["show_trgm", "similarity", "strict_word_similarity", "word_similarity"]),
    ("pgcrypto", &["armor", "crypt", "dearmor", "decrypt", "decrypt_iv", "digest", "encrypt", "encrypt_iv",
        "gen_random_bytes", "gen_salt", "hmac", "pgp_key_id", "pgp_pub_decrypt", "pgp_pub_decrypt_bytea",
        "pgp_pub_encrypt", "pgp_pub_encrypt_bytea", "pgp_sym_decrypt", "pgp_sym_decrypt_bytea", "pgp_sym_encrypt",
        "pgp_sym_encrypt_bytea"]),
    ("unaccent", &["unaccent"]),
    ("uuid-ossp", &["uuid_generate_v1", "uuid_generate_v1mc", "uuid_generate_v3", "uuid_generate_v4",
        "uuid_generate_v5", "uuid_nil", "uuid_ns_dns", "uuid_ns_oid", "uuid_ns_url", "uuid_ns_x500"]),
    ("vector", &["binary_quantize", "cosine_distance", "inner_product", "l1_distance", "l2_distance", "l2_norm",
        "l2_normalize", "subvector", "vector_dims", "vector_norm"]),
];
