-- An app that gives no name was stored with these words of ours, and pages then said that it calls itself so.
UPDATE "connection" SET "client_name" = '' WHERE "client_name" = 'An app without a name';
