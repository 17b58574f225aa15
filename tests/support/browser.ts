import { existsSync } from 'node:fs'

/** A Chromium of this machine. Tests that look at pages skip where there is none. */
export const chromium = [
  process.env.CHROMIUM ?? '',
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
].find((path) => path !== '' && existsSync(path))

export const why = chromium === undefined ? ' (skipped: no Chromium here, nor named by CHROMIUM)' : ''
