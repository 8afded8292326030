-- A note as lists and pages show it: with its author, its tags and the number
-- of its comments.
CREATE VIEW note_overview AS
SELECT notes.id,
       notes.user_id,
       notes.title,
       notes.body,
       notes.created_at,
       notes.updated_at,
       users.name AS author,
       (SELECT count(*) FROM comments WHERE comments.note_id = notes.id) AS comment_count,
       coalesce((SELECT group_concat(tags.name, ',' ORDER BY tags.name)
                   FROM note_tags
                   JOIN tags ON tags.id = note_tags.tag_id
                  WHERE note_tags.note_id = notes.id), '') AS tags
  FROM notes
  JOIN users ON users.id = notes.user_id;
