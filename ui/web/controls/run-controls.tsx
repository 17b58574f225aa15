import { useState } from 'preact/hooks'
import type { ControlAction, ControlRequest, RunState } from '../../contract.ts'
import { size } from '../../../common/size.ts'
import { usePageState } from '../shell/page-state.tsx'
import { failureOf } from '../source/source.ts'
import { useSource } from '../source/use-source.ts'
import { actionsFor, type PlainAction } from './actions.ts'
import { Dialog } from './dialog.tsx'

interface Props {
  readonly id: string
  readonly state: RunState
  readonly isSweep?: boolean
  /** Called after a change. */
  readonly onChange: () => void
  /** Called in place of `onChange` when the run is gone. */
  readonly onDelete?: () => void
}

const labels: Readonly<Record<PlainAction, string>> = {
  pause: 'Pause',
  resume: 'Resume',
  cancel: 'Cancel',
  retry: 'Retry',
  delete: 'Delete …',
}

/** The buttons that change a run or a sweep. There are none if the server changes nothing. */
export function RunControls({ id, state, isSweep = false, onChange, onDelete = onChange }: Props) {
  const { session, setNotice } = usePageState()
  const source = useSource()
  const [isBusy, setBusy] = useState(false)
  const [deletion, setDeletion] = useState<{ message: string; bytes?: number }>()
  const { token } = session
  if (token === undefined) return null
  const change = async (action: ControlAction, request?: ControlRequest) => {
    setBusy(true)
    try {
      return await source.change(id, action, token, request)
    } catch (error) {
      const { error: text, remedy } = failureOf(error)
      setNotice({ tone: 'failed', text, ...(remedy !== undefined && { remedy }) })
      return undefined
    } finally {
      setBusy(false)
    }
  }
  const act = async (action: PlainAction) => {
    const answer = await change(action, action === 'delete' ? { confirmed: false } : undefined)
    if (!answer) return
    if (action === 'delete') {
      setDeletion(answer)
      return
    }
    setNotice({ tone: 'done', text: answer.message })
    onChange()
  }
  const confirm = async () => {
    setDeletion(undefined)
    const answer = await change('delete', { confirmed: true })
    if (!answer) return
    setNotice({ tone: 'done', text: answer.message })
    onDelete()
  }
  return (
    <div class="run-controls" role="group" aria-label={`Change ${id}`}>
      {actionsFor(state).map((action) => (
        <button
          key={action}
          type="button"
          class={`small${action === 'delete' || action === 'cancel' ? ' danger' : ''}`}
          disabled={isBusy}
          onClick={() => void act(action)}
        >
          {labels[action]}
        </button>
      ))}
      {isSweep && (state === 'running' || state === 'paused') && (
        <Parallelism
          isBusy={isBusy}
          onSet={(atMost) => {
            void change('parallelism', { atMost }).then((answer) => {
              if (answer) setNotice({ tone: 'done', text: answer.message })
            })
          }}
        />
      )}
      <Dialog
        title={`Delete ${id}?`}
        isOpen={deletion !== undefined}
        onClose={() => {
          setDeletion(undefined)
        }}
      >
        <p>{deletion?.message}</p>
        {deletion?.bytes !== undefined && (
          <p>
            This frees <strong>{size(deletion.bytes)}</strong>. What other runs use stays.
          </p>
        )}
        <button type="button" class="danger" onClick={() => void confirm()}>
          Delete
        </button>
      </Dialog>
    </div>
  )
}

function Parallelism({
  isBusy,
  onSet,
}: {
  readonly isBusy: boolean
  readonly onSet: (atMost: number) => void
}) {
  const [text, setText] = useState('')
  const value = Number(text)
  return (
    <form
      class="inline"
      onSubmit={(event) => {
        event.preventDefault()
        onSet(value)
      }}
    >
      <label>
        Runs at once{' '}
        <input
          type="number"
          min="1"
          required
          value={text}
          onInput={({ currentTarget }) => {
            setText(currentTarget.value)
          }}
        />
      </label>
      <button type="submit" class="small" disabled={isBusy || !Number.isInteger(value) || value < 1}>
        Set
      </button>
    </form>
  )
}
