const REASONS: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk is full',
  EDQUOT: "this user's share of the disk is full",
  EROFS: 'the disk is read-only',
  EACCES: 'this user may not write there',
  EPERM: 'this user may not write there',
  EIO: 'the disk failed',
}

/**
 * Runs work that writes to a directory. If the disk fails, throws an error that names the directory
 * and the setting for another one. It is a plain Error, so that it is retried: the user can free
 * space while a run waits.
 */
export async function writingTo<T>(directory: string, setting: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    const { code = '', syscall } = error as NodeJS.ErrnoException
    const reason = REASONS[code]
    if (reason === undefined || syscall === undefined) throw error
    throw new Error(
      `cannot keep files in ${directory}: ${reason} (${code}); make room, or name another directory as ${setting}`,
    )
  }
}
