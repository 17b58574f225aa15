/** The error that a promise is rejected with. Fails when the promise is fulfilled. */
export async function errorOf(work: Promise<unknown>): Promise<Error> {
  const error = await work.then(
    () => undefined,
    (error: unknown) => error,
  )
  if (error === undefined) throw new Error('expected a rejection, but the promise was fulfilled')
  if (error instanceof Error) return error
  throw new Error(`expected a rejection with an error, but it was with ${JSON.stringify(error)}`)
}
