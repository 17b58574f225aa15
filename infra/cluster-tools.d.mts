/** Paths of programs, and of a directory of schemas with one file per kind. */
export interface ClusterTools {
  readonly helm: string
  readonly kubeconform: string
  readonly compose: string
  readonly hadolint: string
  readonly schemas: string
}

/**
 * Installs the programs and schemas that the tests of the manifests in infra/ use, if they are
 * missing. Rejects with a SetupError.
 */
export function ensureClusterTools(): Promise<ClusterTools>

/** Returns the same if everything is installed already, else undefined. */
export function presentClusterTools(): ClusterTools | undefined
