import { readdirSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { parseSweep } from '../../../experiment/sweep/config.ts'
import { accepted, acceptedPoints, folder, sweeps } from './shipped.ts'

test.each(readdirSync(folder).sort())('%s is accepted, and says what was measured', (file) => {
  const text = readFileSync(new URL(file, folder), 'utf8')
  const spec = accepted(file, text)
  expect(`${spec.name}.yaml`).toBe(file)
  expect(text).toMatch(/^# Measured on /m)
  expect(text).toContain(`./zeroshift run configs/experiments/${file}`)
})

test.each(
  readdirSync(sweeps)
    .filter((name) => name.endsWith('.yaml'))
    .sort(),
)('%s is accepted at every point, and says what was measured', (file) => {
  const text = readFileSync(new URL(file, sweeps), 'utf8')
  const { space } = parseSweep({ file, text })
  acceptedPoints(file, text)
  expect(`${space.name}.yaml`).toBe(file)
  expect(text).toMatch(/^# Measured on /m)
  expect(text).toContain(`./zeroshift sweep configs/sweeps/${file}`)
})
