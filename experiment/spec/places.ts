import type { Spec } from './spec.ts'

/**
 * Whether a place is a URL. A URL names the same place on every machine, and a directory does not.
 */
export const isElsewhere = (place: string) => /^[a-z][a-z0-9+.-]*:\/\//i.test(place)

/** A spec without local directories, as it is recorded. */
export function withoutPlaces(spec: Spec): Spec {
  const { gold, original } = spec
  const { from, ...madeHere } = gold
  return {
    ...spec,
    data: withoutDirectory(spec.data),
    model: withoutDirectory(spec.model),
    ...(original && { original: withoutDirectory(original) }),
    gold: from?.every(isElsewhere) ? gold : madeHere,
    methods: spec.methods.map((row) => (row.method === 'weights' ? withoutDirectory(row) : row)),
  }
}

function withoutDirectory<T extends object>(of: T & { readonly from?: string | undefined }): T {
  if (of.from === undefined || isElsewhere(of.from)) return of
  const { from: _, ...rest } = of
  return rest as T
}
