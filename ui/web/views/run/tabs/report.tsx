import { DocumentView } from '../../../document/document.tsx'
import type { RunTab, RunTabProps } from '../run-tab.ts'

export const reportTab: RunTab = {
  name: 'report',
  title: 'Report',
  isShown: () => true,
  Component: ReportTab,
}

/** The report of the stages that are finished. */
function ReportTab({ run: { document } }: RunTabProps) {
  return <DocumentView document={document} />
}
