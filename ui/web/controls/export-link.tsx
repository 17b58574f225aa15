import { paths } from '../../contract.ts'
import { usePageState } from '../shell/page-state.tsx'

/** The link to runs as a folder that works without a server. An export has none. */
export function ExportLink({ runs }: { readonly runs: readonly string[] }) {
  const { session } = usePageState()
  if (session.exported) return null
  return (
    <a class="button plain small" href={paths.export(runs)} download>
      {runs.length === 1 ? 'Export this run' : 'Export these runs'}
    </a>
  )
}
