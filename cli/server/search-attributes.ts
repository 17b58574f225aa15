import { setTimeout as sleep } from 'node:timers/promises'
import { isGrpcServiceError, type Client } from '@temporalio/client'
import { searchAttributes, type SearchAttribute } from '../../experiment/records/search-attributes.ts'
import { causeOf } from './unwrap-error.ts'

const names = Object.keys(searchAttributes) as SearchAttribute[]

/**
 * The types by their numbers in Temporal's API, INDEXED_VALUE_TYPE_KEYWORD and
 * INDEXED_VALUE_TYPE_KEYWORD_LIST, and by their names on Temporal's command line.
 */
const types = { KEYWORD: { code: 2, word: 'Keyword' }, KEYWORD_LIST: { code: 7, word: 'KeywordList' } }

/** The gRPC codes by which a server refuses to add a search attribute. */
const refusals: readonly number[] = [3, 7, 9, 12, 16]
const INVALID_ARGUMENT = 3

/** A server of several services informs all of them after a moment, the dev server at once. */
const SOON_MS = 2_000

/**
 * Registers Zeroshift's search attributes, and waits until all services of the server know them.
 * Returns false if the server refuses or takes longer: runs then start without the attributes and
 * cannot be found by them.
 */
export async function ensureSearchAttributes(client: Client, withinMs = SOON_MS): Promise<boolean> {
  if (await areKnown(client)) return true
  try {
    await client.connection.operatorService.addSearchAttributes({
      namespace: client.options.namespace,
      searchAttributes: Object.fromEntries(names.map((name) => [name, types[searchAttributes[name]].code])),
    })
  } catch (error) {
    if (!isGrpcServiceError(error) || !refusals.includes(error.code)) throw error
    return false
  }
  const deadline = performance.now() + withinMs
  while (performance.now() < deadline) {
    if (await areKnown(client)) return true
    await sleep(100)
  }
  return false
}

/** A server refuses a query by an attribute that it does not know. */
async function areKnown(client: Client): Promise<boolean> {
  try {
    await client.workflow.count(names.map((name) => `${name} = 'x'`).join(' AND '))
    return true
  } catch (error) {
    const cause = causeOf(error)
    if (isGrpcServiceError(cause) && Number(cause.code) === INVALID_ARGUMENT) return false
    throw error
  }
}

/**
 * Returns the command by which an administrator adds the attributes if the server refuses
 * Zeroshift.
 */
export function registration(namespace: string): string {
  const added = names.map((name) => `--name ${name} --type ${types[searchAttributes[name]].word}`)
  return `temporal operator search-attribute create --namespace ${namespace} ${added.join(' ')}`
}
