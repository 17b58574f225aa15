/** The folders of the checkout that a worker or a command uses, except for infra/. */
export const FOLDERS: readonly string[]
