/** The Redis whose behaviour this is; what INFO and HELLO call `redis_version`. */
export const REDIS_VERSION = '7.2.6';

/** That of package.json. */
export const TSREDIS_VERSION = '0.1.0';
