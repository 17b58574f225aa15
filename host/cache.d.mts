/** Where tools are kept between checkouts and `npm ci` runs. */
export function cacheDirectory(): string
