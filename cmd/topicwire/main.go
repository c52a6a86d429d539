// Command topicwire polls news and policy feeds on a schedule, keeps every item once, files each under the topics that
// its operator describes and republishes each topic as a merged feed, a page and an export.
//
// This package only wires the packages below aggregator and storage together: one file per subcommand, station.go for
// what they share, control.go for how a command reaches the daemon that holds the store.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
	_ "time/tzdata" // CRON_TZ= must work where no time zones are installed
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	// The first signal asks for a clean end; the handler is then taken away, so that a second one ends at once.
	context.AfterFunc(ctx, stop)
	os.Exit(execute(ctx, os.Args[1:], os.Stdout, os.Stderr))
}
