import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client'
import { checkpointed, deviceLoaded, stepped } from '../../activities/runtime/events.ts'
import { traffic } from '../../artifacts/store/events.ts'
import { failureKinds, type Watcher } from './attempt-interceptor.ts'

export interface Metrics {
  /** Counts attempts at activities. */
  readonly watcher: Watcher
  /** Returns the metrics in Prometheus' text format. */
  readonly text: () => Promise<string>
  readonly contentType: string
}

/**
 * Starts to collect the metrics of this process. The labels have a fixed number of values: kinds of
 * stages and of failures, and directions. Rates, such as steps per second, are computed by
 * Prometheus' `rate()`.
 */
export function metrics(): Metrics {
  const registry = new Registry()
  const registers = [registry]
  collectDefaultMetrics({ register: registry })

  const steps = new Counter({
    name: 'zeroshift_steps_total',
    help: 'Steps of training, unlearning and their like that were taken.',
    labelNames: ['stage'],
    registers,
  })
  stepped.subscribe((message) => {
    steps.inc({ stage: message.kind }, message.steps)
  })

  let bytesOnDevice = () => 0
  deviceLoaded.subscribe((bytes) => {
    bytesOnDevice = bytes
  })
  new Gauge({
    name: 'zeroshift_device_bytes',
    help: 'Bytes of the tensors that TensorFlow has on the device; 0 before it is loaded.',
    registers,
    collect() {
      this.set(bytesOnDevice())
    },
  })

  const checkpoints = new Histogram({
    name: 'zeroshift_checkpoint_seconds',
    help: 'What it took to keep a checkpoint in the store.',
    labelNames: ['stage'],
    buckets: [0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100],
    registers,
  })
  checkpointed.subscribe(({ kind, seconds }) => {
    checkpoints.observe({ stage: kind }, seconds)
  })

  const bytes = new Counter({
    name: 'zeroshift_store_bytes_total',
    help: 'Bytes of objects that were read from stores and written to them.',
    labelNames: ['direction'],
    registers,
  })
  for (const direction of ['read', 'written']) bytes.inc({ direction }, 0)
  traffic.subscribe((message) => {
    bytes.inc({ direction: message.direction }, message.bytes)
  })

  const running = new Gauge({
    name: 'zeroshift_stages_running',
    help: 'Attempts at stages that are under way.',
    labelNames: ['stage'],
    registers,
  })
  const ended = new Counter({
    name: 'zeroshift_stages_total',
    help: 'Attempts at stages by how they ended.',
    labelNames: ['stage', 'outcome'],
    registers,
  })
  const seconds = new Histogram({
    name: 'zeroshift_stage_seconds',
    help: 'How long attempts took that computed their stage, reading and writing included.',
    labelNames: ['stage'],
    buckets: [0.1, 0.3, 1, 3, 10, 30, 100, 300, 1000, 3000, 10_000, 30_000],
    registers,
  })
  const failures = new Counter({
    name: 'zeroshift_failures_total',
    help: "Attempts at activities that failed: by the user's input or the mathematics (not tried again), by the world (tried again), or lost to another attempt.",
    labelNames: ['kind'],
    registers,
  })
  for (const kind of failureKinds) failures.inc({ kind }, 0)

  return {
    contentType: registry.contentType,
    text: () => registry.metrics(),
    watcher({ stage, key }) {
      const isStage = key !== undefined
      if (isStage) running.inc({ stage })
      return (end, took) => {
        const { outcome } = end
        if (outcome === 'failed') failures.inc({ kind: end.kind })
        if (!isStage) return
        running.dec({ stage })
        ended.inc({ stage, outcome })
        if (outcome === 'computed') seconds.observe({ stage }, took)
      }
    },
  }
}
