import { afterEach, beforeAll, beforeEach } from 'vitest'
import { Site, undisturbed } from './durable.ts'

/**
 * Opens a new site for each test of a file, and computes the same run once without faults for
 * comparison.
 */
export function faultSite(length: { readonly epochs: number }) {
  let expected: Awaited<ReturnType<typeof undisturbed>>
  let site: Site
  beforeAll(async () => {
    expected = await undisturbed(length)
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
