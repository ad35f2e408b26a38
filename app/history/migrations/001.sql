-- Chats, their messages as a tree, and the media they use. Times are milliseconds since 1970, UTC.
CREATE TABLE chat (
  id           INTEGER PRIMARY KEY AUTOINCREMENT,
  title        TEXT NOT NULL,
  created      INTEGER NOT NULL,
  changed      INTEGER NOT NULL,
  current_leaf INTEGER REFERENCES message(id) ON DELETE SET NULL,
  thumbnail    TEXT NOT NULL DEFAULT '',
  pinned       INTEGER NOT NULL DEFAULT 0 CHECK (pinned IN (0, 1)),
  binned       INTEGER                       -- when it was moved to the bin
) STRICT;
CREATE INDEX chat_by_change ON chat(changed DESC) WHERE binned IS NULL;

-- A message is younger than its parent: ids grow and are never reused, so a branch in order of id runs from root to leaf.
CREATE TABLE message (
  id      INTEGER PRIMARY KEY AUTOINCREMENT,
  chat    INTEGER NOT NULL REFERENCES chat(id) ON DELETE CASCADE,
  parent  INTEGER REFERENCES message(id) ON DELETE CASCADE,
  role    TEXT NOT NULL CHECK (role IN ('system', 'user', 'assistant')),
  state   TEXT NOT NULL CHECK (state IN ('complete', 'streaming', 'stopped', 'failed')),
  text    TEXT NOT NULL,
  boxes   TEXT NOT NULL,  -- JSON, like the next two
  timings TEXT NOT NULL,
  error   TEXT NOT NULL,
  model   TEXT NOT NULL,
  created INTEGER NOT NULL
) STRICT;
CREATE INDEX message_by_chat ON message(chat, parent);
CREATE INDEX message_by_parent ON message(parent);
CREATE INDEX message_streaming ON message(id) WHERE state = 'streaming';

CREATE TABLE media (
  sha256 TEXT PRIMARY KEY CHECK (length(sha256) = 64),
  mime   TEXT NOT NULL,
  width  INTEGER NOT NULL,
  height INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE attachment (
  message INTEGER NOT NULL REFERENCES message(id) ON DELETE CASCADE,
  place   INTEGER NOT NULL,
  sha256  TEXT NOT NULL REFERENCES media(sha256),
  name    TEXT NOT NULL,
  PRIMARY KEY (message, place)
) STRICT, WITHOUT ROWID;
CREATE INDEX attachment_by_media ON attachment(sha256);

-- The words of titles and messages. A streaming answer enters the index when it ends, so that its updates stay cheap.
CREATE VIRTUAL TABLE chat_words USING fts5(title, content = 'chat', content_rowid = 'id',
                                           tokenize = 'unicode61 remove_diacritics 2', prefix = '2 3');
CREATE VIRTUAL TABLE message_words USING fts5(text, content = 'message', content_rowid = 'id',
                                              tokenize = 'unicode61 remove_diacritics 2', prefix = '2 3');

CREATE TRIGGER chat_words_insert AFTER INSERT ON chat BEGIN
  INSERT INTO chat_words(rowid, title) VALUES (new.id, new.title);
END;
CREATE TRIGGER chat_words_update AFTER UPDATE OF title ON chat BEGIN
  INSERT INTO chat_words(chat_words, rowid, title) VALUES ('delete', old.id, old.title);
  INSERT INTO chat_words(rowid, title) VALUES (new.id, new.title);
END;
CREATE TRIGGER chat_words_delete AFTER DELETE ON chat BEGIN
  INSERT INTO chat_words(chat_words, rowid, title) VALUES ('delete', old.id, old.title);
END;
CREATE TRIGGER message_words_insert AFTER INSERT ON message WHEN new.state <> 'streaming' BEGIN
  INSERT INTO message_words(rowid, text) VALUES (new.id, new.text);
END;
CREATE TRIGGER message_words_leave AFTER UPDATE OF text, state ON message WHEN old.state <> 'streaming' BEGIN
  INSERT INTO message_words(message_words, rowid, text) VALUES ('delete', old.id, old.text);
END;
CREATE TRIGGER message_words_enter AFTER UPDATE OF text, state ON message WHEN new.state <> 'streaming' BEGIN
  INSERT INTO message_words(rowid, text) VALUES (new.id, new.text);
END;
CREATE TRIGGER message_words_delete AFTER DELETE ON message WHEN old.state <> 'streaming' BEGIN
  INSERT INTO message_words(message_words, rowid, text) VALUES ('delete', old.id, old.text);
END;
