/** Returns the HMAC-SHA256 of an ASCII message under a key, both given as text, in base64url without padding. */
export type Hmac = (key: string, message: string) => string;
