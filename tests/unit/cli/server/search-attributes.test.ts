import type { Client } from '@temporalio/client'
import { describe, expect, test } from 'vitest'
import { ensureSearchAttributes, registration } from '../../../../cli/server/search-attributes.ts'

const [INVALID_ARGUMENT, PERMISSION_DENIED, UNAVAILABLE] = [3, 7, 14]
const answer = (code: number) => Object.assign(new Error('no'), { code, details: 'no', metadata: {} })

/**
 * A server that knows the attributes after they were added. Adding them may fail with a code of
 * gRPC.
 */
function serverThat({ knows = false, failure }: { knows?: boolean; failure?: number }) {
  const added: unknown[] = []
  const client = {
    options: { namespace: 'ours' },
    workflow: {
      count: () =>
        knows || added.length > 0 ? Promise.resolve({}) : Promise.reject(answer(INVALID_ARGUMENT)),
    },
    connection: {
      operatorService: {
        addSearchAttributes: (request: unknown) => {
          if (failure !== undefined) return Promise.reject(answer(failure))
          added.push(request)
          return Promise.resolve({})
        },
      },
    },
  }
  return { client: client as unknown as Client, added }
}

describe('what runs are found by', () => {
  test('is added to a server that does not know it, once', async () => {
    const { client, added } = serverThat({})
    expect(await ensureSearchAttributes(client)).toBe(true)
    expect(await ensureSearchAttributes(client)).toBe(true)
    expect(added).toEqual([
      {
        namespace: 'ours',
        searchAttributes: {
          ZeroshiftDataset: 2,
          ZeroshiftMethods: 7,
          ZeroshiftRanks: 7,
          ZeroshiftConfig: 2,
          ZeroshiftSweep: 2,
        },
      },
    ])
  })

  test('is done without where the server refuses, unless it knows it already', async () => {
    expect(await ensureSearchAttributes(serverThat({ failure: PERMISSION_DENIED }).client)).toBe(false)
    expect(await ensureSearchAttributes(serverThat({ knows: true, failure: PERMISSION_DENIED }).client)).toBe(
      true,
    )
  })

  test('is not given up for a server that is away', async () => {
    await expect(ensureSearchAttributes(serverThat({ failure: UNAVAILABLE }).client)).rejects.toThrow('no')
  })

  test('is added by an administrator with one command', () => {
    expect(registration('ours')).toBe(
      'temporal operator search-attribute create --namespace ours --name ZeroshiftDataset --type Keyword ' +
        '--name ZeroshiftMethods --type KeywordList --name ZeroshiftRanks --type KeywordList ' +
        '--name ZeroshiftConfig --type Keyword --name ZeroshiftSweep --type Keyword',
    )
  })
})
