import { expect, test } from 'vitest'
import { writingTo } from '../../../sources/disk.ts'

const failing = (code: string, syscall?: string) =>
  writingTo('/cache', 'ZEROSHIFT_CACHE', () =>
    Promise.reject(Object.assign(new Error('as it was'), { code, syscall })),
  )

test.each([
  ['ENOSPC', 'the disk is full'],
  ['EROFS', 'the disk is read-only'],
  ['EACCES', 'this user may not write there'],
])('%s names the directory and what to do', async (code, reason) => {
  await expect(failing(code, 'write')).rejects.toThrow(
    `cannot keep files in /cache: ${reason} (${code}); make room, or name another directory as ZEROSHIFT_CACHE`,
  )
})

test('other errors are left as they are', async () => {
  await expect(failing('ENOENT', 'open')).rejects.toThrow('as it was')
  await expect(failing('EACCES')).rejects.toThrow('as it was')
})
