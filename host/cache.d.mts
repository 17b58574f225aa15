/** Returns the directory for downloads, tools and copies of blobs, which all checkouts share. */
export function cacheDirectory(): string
