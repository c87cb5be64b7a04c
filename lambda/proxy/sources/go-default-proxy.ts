/** Go's own built-in GOPROXY (cmd/go/internal/cfg), for where nothing else is configured; the one place that names it. */
export const goDefaultProxy = "https://proxy.golang.org,direct";
