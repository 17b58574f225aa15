import type { z } from 'zod'
import {
  requestedByKind,
  requestedKinds,
  type RequestedKind,
  type RequestedOptions,
} from '../stages/requested.ts'
import { schemas } from './schemas.ts'

type Sections = { readonly [K in RequestedKind]: z.ZodOptional<z.ZodType<RequestedOptions[K]>> }

/** The schemas of the sections of a config that request stages, by the kind of stage. */
export const requestedSections = Object.fromEntries(
  requestedKinds.map((kind) => {
    const section = requestedByKind[kind].section(schemas)
    return [kind, section.optional().describe(section.description ?? '')]
  }),
) as Sections
