-- One row for the whole site.
CREATE TABLE settings (
    id         BIGINT      PRIMARY KEY CHECK (id = 1),
    site_title TEXT        NOT NULL CHECK (length(site_title) BETWEEN 1 AND 80),
    theme      TEXT        NOT NULL DEFAULT 'light' CHECK (theme IN ('light', 'dark')),
    page_size  BIGINT      NOT NULL DEFAULT 20 CHECK (page_size BETWEEN 1 AND 100),
    updated_by BIGINT      REFERENCES users (id) ON DELETE SET NULL,
    updated_at TIMESTAMPTZ NOT NULL DEFAULT CURRENT_TIMESTAMP
);
