// A process of its own that wants a source's files: prints their directory.
import { localDirectory } from '../../sources/local-directory.ts'

const { directory } = await localDirectory(process.argv[2] ?? '', { files: () => true })
console.log(directory)
