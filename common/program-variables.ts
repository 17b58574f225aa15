import { environmentVariables } from './environment-variables.ts'

/** The environment variables that an external program may get from its worker. */

/** The variables by which numerical libraries learn their number of threads. */
export const threadVariables = [
  'OMP_NUM_THREADS',
  'OPENBLAS_NUM_THREADS',
  'MKL_NUM_THREADS',
  'NUMEXPR_NUM_THREADS',
  'VECLIB_MAXIMUM_THREADS',
] as const

/** The variables that every program gets with the same values. */
export const fixedVariables = {
  LANG: 'C.UTF-8',
  // Python would otherwise keep progress lines in a buffer, write files beside the program, and
  // order sets differently in each process.
  PYTHONUNBUFFERED: '1',
  PYTHONDONTWRITEBYTECODE: '1',
  PYTHONHASHSEED: '0',
  // Without this, cuBLAS may give other bytes in each process.
  CUBLAS_WORKSPACE_CONFIG: ':4096:8',
} as const

/** The variables that every program gets with values of Zeroshift. */
const setByZeroshift = new Set([
  'PATH',
  'HOME',
  'TMPDIR',
  'CUDA_VISIBLE_DEVICES',
  ...Object.keys(fixedVariables),
  ...threadVariables,
])

const secrets = new Set(
  environmentVariables.flatMap(({ name, isSecret }) => (isSecret ? [name, `${name}_FILE`] : [])),
)

const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/
/** Names that look like those of credentials. */
const CREDENTIAL = /^AWS_|(^|_)TOKEN$|SECRET|PASSW(OR)?D|PASSPHRASE|CREDENTIAL|KEYS?$|_AUTH$|_PAT$/i

/**
 * Returns why no program may get the variable with this name, as the end of a sentence that begins
 * with the name. Returns undefined for a variable that programs may get.
 */
export function whyRefusedVariable(name: string): string | undefined {
  if (!NAME.test(name)) return 'is no name of an environment variable; expected letters, digits and _'
  if (setByZeroshift.has(name)) return 'is set by Zeroshift and cannot be passed on; leave it out'
  if (secrets.has(name) || CREDENTIAL.test(name))
    return 'has the name of a credential, and no program gets credentials of the worker; leave it out'
  if (name.startsWith('ZEROSHIFT_')) return 'is a setting of Zeroshift, not of the program; leave it out'
  return undefined
}
