type ErrorClass<E> = abstract new (...args: never[]) => E

/**
 * Returns the error that a promise is rejected with. Throws when the promise is fulfilled or the
 * error has another class.
 */
export async function errorOf(work: Promise<unknown>): Promise<Error>
export async function errorOf<E extends Error>(work: Promise<unknown>, expected: ErrorClass<E>): Promise<E>
export async function errorOf(work: Promise<unknown>, expected: ErrorClass<Error> = Error): Promise<Error> {
  try {
    await work
  } catch (error) {
    if (error instanceof expected) return error
    throw new Error(`expected a rejection with ${expected.name}, found another error`, { cause: error })
  }
  throw new Error(`expected a rejection with ${expected.name}, but the promise was fulfilled`)
}
