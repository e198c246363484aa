// Written by `migrate:new`.

/** The last of the migrations this version was made with: images of services hold no migrations to look at. */
export const NEWEST_MIGRATION = '20261201000500_look_at_the_history'
