import { quoted } from '../../report/command.ts'
import { storeFor } from '../workspace/workspace.ts'
import { pathOrUrl } from './print.ts'

/**
 * Returns the command that resumes a run or a sweep. It names the store if that is not the default
 * one.
 */
export function resumeCommand(id: string, store: string): string {
  return `./zeroshift resume ${id}${store === storeFor() ? '' : ` --store ${quoted(pathOrUrl(store))}`}`
}
