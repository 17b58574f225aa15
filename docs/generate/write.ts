import { writeFile } from 'node:fs/promises'
import { generatedPages, pathOf, textOf } from './pages.ts'

/** Writes the generated pages of the documentation: npm run docs:reference */
for (const page of generatedPages) await writeFile(pathOf(page), await textOf(page))
