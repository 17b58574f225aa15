/** What stops the set-up; the message alone is for the user. */
export class SetupError extends Error {}
