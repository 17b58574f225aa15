import { afterEach, beforeAll, beforeEach } from 'vitest'
import { Site, undisturbed } from './durable.ts'
import { sharedResult } from './shared.ts'

/**
 * Opens a new site for each test of a file, and computes the same run without faults for
 * comparison, once for all files with this length.
 */
export function faultSite(length: { readonly epochs: number }) {
  let expected: Awaited<ReturnType<typeof undisturbed>>
  let site: Site
  beforeAll(async () => {
    expected = await sharedResult(`undisturbed-${length.epochs}`, () => undisturbed(length))
  })
  beforeEach(async () => {
    site = await new Site().open()
  })
  afterEach(() => site.close())
  return {
    get expected() {
      return expected
    },
    get site() {
      return site
    },
  }
}
