import {
  measureElement,
  observeWindowOffset,
  observeWindowRect,
  Virtualizer,
  windowScroll,
  type VirtualItem,
} from '@tanstack/virtual-core'
import { useLayoutEffect, useReducer, useRef, useState } from 'preact/hooks'

/** The rows of a long list that are near the visible part of the page. */
export interface WindowRows {
  readonly items: readonly VirtualItem[]
  /** The height of all rows. */
  readonly height: number
  /** The distance from the start of the list, for the position of an item. */
  readonly offset: number
  /** Measures a row, whose element has the number of the row in `data-index`. */
  readonly measure: (element: HTMLElement | null) => void
}

/**
 * Returns the rows that the browser has to show of a list that is scrolled with the page.
 *
 * @param list the element of the list
 * @param count the number of rows
 * @param estimate the height of a row before it is measured
 * @param keyOf what identifies a row, so that its height follows it when rows change their order.
 *   The same function until the order changes.
 */
export function useWindowRows(
  list: { readonly current: HTMLElement | null },
  count: number,
  estimate: number,
  keyOf: (index: number) => number | string = sameIndex,
): WindowRows {
  const [, redraw] = useReducer((n: number, _: undefined) => n + 1, 0)
  const margin = useRef(0)
  const options = {
    count,
    estimateSize: () => estimate,
    getItemKey: keyOf,
    getScrollElement: () => window,
    scrollToFn: windowScroll,
    observeElementRect: observeWindowRect,
    observeElementOffset: observeWindowOffset,
    measureElement,
    overscan: 6,
    scrollMargin: margin.current,
    initialRect: { width: window.innerWidth, height: window.innerHeight },
    onChange: () => {
      redraw(undefined)
    },
  }
  const [virtualizer] = useState(() => new Virtualizer<Window, HTMLElement>(options))
  virtualizer.setOptions(options)
  useLayoutEffect(() => virtualizer._didMount(), [virtualizer])
  useLayoutEffect(() => {
    const top = list.current ? list.current.getBoundingClientRect().top + window.scrollY : 0
    if (Math.abs(top - margin.current) > 1) {
      margin.current = top
      redraw(undefined)
    }
    virtualizer._willUpdate()
  })
  return {
    items: virtualizer.getVirtualItems(),
    height: virtualizer.getTotalSize(),
    offset: margin.current,
    measure: virtualizer.measureElement,
  }
}

const sameIndex = (index: number) => index
