import { z } from 'zod'
import type { ControlRequest } from '../contract.ts'

/** The body of a request that changes a run. */
export const controlRequestSchema = z.strictObject({
  atMost: z.int().min(1).max(500).exactOptional(),
  confirmed: z.boolean().exactOptional(),
}) satisfies z.ZodType<ControlRequest>
