import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { SweepSchedule, type SweepRun } from '../../../../experiment/sweep/schedule.ts'
import type { SweepCells } from '../../../../experiment/sweep/sweep.ts'

const cellsOf = (count: number, rungs: number): SweepCells => ({
  cells: Array.from({ length: count }, (_, cell) =>
    Array.from({ length: rungs }, (_, rung) => `run-${cell}-${rung}`),
  ),
  rungs,
  factor: 2,
})

/** Begins and ends runs as the numbers say, and hands the state on to a new board now and then. */
function played(asked: SweepCells, moves: readonly number[], handsOn: boolean) {
  let board = new SweepSchedule(asked)
  const began: string[] = []
  for (const move of moves) {
    const running = board.underWay('r')
    const ended = running[move % Math.max(1, running.length)]
    if (move % 3 === 0) {
      for (const place of board.take(1)) {
        board.begun(place, 'r')
        began.push(place.run)
      }
    } else if (ended && move % 11 === 1) board.failed(ended, 'it failed')
    else if (ended) board.ended(ended, move % 2 === 0 ? 'd' : 'i', valueOf(ended))
    if (handsOn && move % 5 === 0)
      board = new SweepSchedule(asked, { paused: false, startedAt: 0, ...board.state() })
  }
  return { began, progress: board.progress(), running: board.running }
}

const valueOf = ({ cell, rung }: SweepRun) => (cell * 31 + rung * 7) % 17

describe('what is known of the cells', () => {
  test('is handed on to the next execution whole: it goes on as one that was never cut', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 12 }),
        fc.integer({ min: 1, max: 3 }),
        fc.array(fc.nat(1000), { maxLength: 120 }),
        (count, rungs, moves) => {
          const asked = cellsOf(count, rungs)
          const cut = played(asked, moves, true)
          expect(cut).toEqual(played(asked, moves, false))
          expect(cut.running).toBe(cut.progress.running.length)
          expect(new Set(cut.began).size).toBe(cut.began.length)
        },
      ),
    )
  })

  test('counts every cell once', () => {
    const board = new SweepSchedule(cellsOf(6, 1))
    const [a, b, c, d] = board.take(4)
    if (!a || !b || !c || !d) throw new Error('there are six')
    board.ended(a, 'c', 'none')
    board.begun(b, 'r')
    board.ended(b, 'i', 'none')
    board.begun(c, 'j')
    board.begun(d, 'r')
    board.failed(d, 'x'.repeat(1000))
    const { failures, ...counts } = board.progress()
    expect(counts).toEqual({
      rungs: 1,
      cells: 6,
      done: 2,
      cached: 1,
      incomplete: 1,
      stopped: 0,
      running: [{ cell: 2, rung: 0, run: 'run-2-0' }],
    })
    expect(failures).toEqual([{ cell: 3, run: 'run-3-0', reason: 'x'.repeat(300) }])
    expect(board.hasNext()).toBe(true)
  })

  test('leaves cells that failed before as they are, unless they are to be tried again', () => {
    const failures = [{ cell: 1, run: 'run-1-0', reason: 'it failed' }]
    const left = new SweepSchedule(cellsOf(3, 1), undefined, failures)
    expect(left.take(9).map(({ cell }) => cell)).toEqual([0, 2])
    expect(left.progress().failures).toEqual(failures)
    expect(new SweepSchedule(cellsOf(3, 1)).take(9).map(({ cell }) => cell)).toEqual([0, 1, 2])
  })

  test('grows by cells after those that are there', () => {
    const board = new SweepSchedule(cellsOf(2, 2))
    board.take(1)
    board.extend(cellsOf(4, 2))
    expect(board.take(9).map(({ cell }) => cell)).toEqual([1, 2, 3])
    expect(board.progress().cells).toBe(4)
  })
})
