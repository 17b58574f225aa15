/** An error that stops the set-up. The user sees its message alone. */
export class SetupError extends Error {}
