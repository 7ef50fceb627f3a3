// The part of Node's `url` that the debug adapter's base class uses, for browsers: they have it themselves.
const own = globalThis.URL;
export { own as URL };
