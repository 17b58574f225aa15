import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import { freePort } from '../../../host/free-port.ts'
import { smallConfig, zeroshiftWith } from '../../support/command.ts'
import { test } from '../../support/fixtures.ts'

test('a collector that does not answer costs a command seconds and nothing else, and its password is not shown', async ({
  directory,
}) => {
  writeFileSync(join(directory, 'small.yaml'), smallConfig)
  const env = { OTEL_EXPORTER_OTLP_ENDPOINT: `http://somebody:open-sesame@127.0.0.1:${await freePort()}` }
  const plain = await timed({}, directory)
  const away = await timed(env, directory)
  expect(away.code).toBe(0)
  expect(away.stdout).toBe(plain.stdout)
  expect(away.stderr).toContain('OpenTelemetry: ')
  expect(away.stderr).not.toContain('open-sesame')
  expect(away.seconds - plain.seconds).toBeLessThan(10)
})

async function timed(env: NodeJS.ProcessEnv, directory: string) {
  const started = performance.now()
  const ended = await zeroshiftWith(env, directory, 'run', 'small.yaml', '--dry-run').ended
  return { ...ended, seconds: (performance.now() - started) / 1000 }
}
