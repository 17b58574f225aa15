import { execFileSync } from 'node:child_process'
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { which } from '../../infra/programs.mjs'

export const openssl = which('openssl')

export interface Certificate {
  /** Paths of PEM files. */
  readonly certificate: string
  readonly key: string
}

/** A certificate authority in a directory, made by openssl: what it signs is in there, too. */
export function authority(directory: string, name: string) {
  const run = (...args: readonly string[]) => execFileSync(openssl ?? 'openssl', args, { stdio: 'pipe' })
  const file = (called: string) => join(directory, called)
  const key = (called: string) => {
    if (!existsSync(file(`${called}.key`)))
      run('genpkey', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256', '-out', file(`${called}.key`))
    return file(`${called}.key`)
  }
  const certificate = file(`${name}.pem`)
  run(
    ...['req', '-x509', '-new', '-key', key(name), '-out', certificate, '-days', '2', '-subj', `/CN=${name}`],
    ...['-addext', 'keyUsage=critical,keyCertSign,cRLSign'],
  )
  return {
    certificate,
    /**
     * For a server: its names, such as DNS:name or IP:address. A certificate for a client has none.
     */
    sign(called: string, alternatives: readonly string[] = []): Certificate {
      const [request, extensions] = [file(`${called}.csr`), file(`${called}.ext`)]
      run('req', '-new', '-key', key(called), '-out', request, '-subj', `/CN=${called}`)
      const names = alternatives.length > 0 ? `subjectAltName=${alternatives.join(',')}\n` : ''
      writeFileSync(extensions, `basicConstraints=CA:FALSE\n${names}`)
      run(
        ...['x509', '-req', '-in', request, '-CA', certificate, '-CAkey', key(name), '-CAcreateserial'],
        ...['-days', '2', '-extfile', extensions, '-out', file(`${called}.pem`)],
      )
      return { certificate: file(`${called}.pem`), key: key(called) }
    },
  }
}
