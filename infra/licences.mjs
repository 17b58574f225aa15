import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ROOT } from './checkout.mjs'

const USAGE = `Usage: node infra/licences.mjs [--check]

Lists the licences of all npm packages of package-lock.json. With --check it says only which are under a licence that Zeroshift has not
allowed, and fails where there are any.
`

/** Licences of packages that may be used beside distributed Apache-2.0 code. */
const ALLOWED = new Set([
  ...['0BSD', 'Apache-2.0', 'BlueOak-1.0.0', 'BSD-2-Clause', 'BSD-3-Clause', 'ISC', 'MIT', 'Python-2.0'],
  'Unlicense',
  // axe-core, with which tests check that pages are accessible.
  'MPL-2.0',
  // Icons of the documentation's site, in the public domain.
  'CC0-1.0',
  // Data in the tools that bundle workflows.
  'CC-BY-4.0',
  // libvips, which sharp loads as a library of its own.
  'LGPL-3.0-or-later',
])

/** Licences from the licence files of packages whose package.json does not name one as usual. */
const KNOWN = { unionfs: 'Unlicense' }

const { packages } = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8'))

const listed = Object.entries(packages)
  .filter(([path]) => path !== '')
  .map(([path, { version, license, dev = false }]) => {
    const name = path.replace(/^.*node_modules\//, '')
    return { name, version, licence: license ?? KNOWN[name] ?? 'unknown', dev }
  })
  .sort((a, b) => (`${a.name}@${a.version}` < `${b.name}@${b.version}` ? -1 : 1))

/** Whether all parts of a licence are allowed, or one of its alternatives. */
function isAllowed(licence) {
  const choices = licence.replace(/[()]/g, '').split(' OR ')
  return choices.some((choice) => choice.split(' AND ').every((part) => ALLOWED.has(part.trim())))
}

const [option, ...others] = process.argv.slice(2)
if (others.length > 0 || (option !== undefined && option !== '--check')) {
  process.stderr.write(USAGE)
  process.exit(option === '--help' ? 0 : 2)
}
if (option === '--check') {
  const refused = listed.filter(({ licence }) => !isAllowed(licence))
  for (const { name, version, licence } of refused)
    process.stdout.write(`${name} ${version} is under ${licence}, which infra/licences.mjs does not allow\n`)
  if (refused.length > 0) process.exitCode = 1
} else {
  const lines = [...new Set(listed.map(({ licence }) => licence))].sort().flatMap((licence) => {
    const members = listed.filter((one) => one.licence === licence)
    return [
      `${licence} (${members.length})`,
      ...members.map(({ name, version, dev }) => `  ${name} ${version}${dev ? ' (development)' : ''}`),
    ]
  })
  process.stdout.write(`${lines.join('\n')}\n`)
}
