import { pathToFileURL } from 'node:url'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { absoluteFromConfig, storeFor } from '../../../../cli/workspace/workspace.ts'

beforeEach(() => {
  vi.stubEnv('ZEROSHIFT_STORE', undefined)
})
afterEach(() => {
  vi.unstubAllEnvs()
})

describe('the store', () => {
  test("is the option's, then the config's, then the environment's, then the working directory's", () => {
    expect(storeFor()).toBe(pathToFileURL(`${process.cwd()}/.zeroshift/store`).href)
    vi.stubEnv('ZEROSHIFT_STORE', '/environment')
    expect(storeFor()).toBe('file:///environment')
    expect(storeFor(undefined, '/config')).toBe('file:///config')
    expect(storeFor('file:///option', '/config')).toBe('file:///option')
  })
})

test('a path in a config is relative to the config', () => {
  expect(absoluteFromConfig('/a/b/config.yaml', '../store')).toBe('/a/store')
  expect(absoluteFromConfig('/a/b/config.yaml', '/store')).toBe('/store')
  expect(absoluteFromConfig('/a/b/config.yaml', 'file:///store')).toBe('file:///store')
})
