import { Dialog } from '../controls/dialog.tsx'
import { usePageState } from './page-state.tsx'

const keys = [
  ['/', 'search'],
  ['t', 'change the theme'],
  ['?', 'this help'],
  ['Tab, then the arrow keys', 'read the cells of a table with their intervals and notes'],
  ['Esc', 'close a menu, a dialog or a note'],
] as const

export function Help({ isOpen, onClose }: { readonly isOpen: boolean; readonly onClose: () => void }) {
  const { session, temporal } = usePageState()
  return (
    <Dialog title="Help" isOpen={isOpen} onClose={onClose}>
      <dl class="keys-help">
        {keys.map(([key, about]) => (
          <div key={key}>
            <dt>
              <kbd>{key}</kbd>
            </dt>
            <dd>{about}</dd>
          </div>
        ))}
      </dl>
      <p>
        The address of the page holds the view with its filters and its order, so that it can be shared and
        marked.
      </p>
      <p class="note">
        Zeroshift {session.version}
        {session.store !== undefined && `, store ${session.store}`}
        {temporal.address !== undefined && `, Temporal at ${temporal.address}`}.{' '}
        {session.exported
          ? 'These are the files of an export, which do not change.'
          : session.token === undefined
            ? 'This page only reads. Start `zeroshift ui --control` to change runs here.'
            : 'This page may change runs.'}
      </p>
    </Dialog>
  )
}
