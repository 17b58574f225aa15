import { useRoute } from '../../../shell/use-route.tsx'

/**
 * A choice among texts that the address of the page holds. It is `otherwise` unless the query names
 * one of the options. Returns the choice and a function that changes it.
 */
export function useChoice<T extends string>(
  name: string,
  options: readonly T[],
  otherwise: T,
): readonly [T, (text: string) => void] {
  const { query, setQuery } = useRoute()
  const chosen = options.find((option) => option === query[name]) ?? otherwise
  return [
    chosen,
    (text) => {
      setQuery({ [name]: text === otherwise ? undefined : text })
    },
  ]
}
