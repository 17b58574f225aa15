/** Paths of programs and a directory of schemas, a file a kind. */
export interface ClusterTools {
  readonly helm: string
  readonly kubeconform: string
  readonly compose: string
  readonly hadolint: string
  readonly schemas: string
}

/** What the manifests in infra/ are checked with, installed first if need be. Rejects with a SetupError. */
export function ensureClusterTools(): Promise<ClusterTools>

/** The same, when `ensureClusterTools` has nothing to do. */
export function presentClusterTools(): ClusterTools | undefined
