// A copy of a service that counts what it has open: "+" for each connection, "-" at its end. A test that kills it reads
// there what it cut off.
package main

import (
	"context"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	log, err := os.OpenFile("/log/connections", os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		panic(err)
	}
	server := &http.Server{
		Addr: ":80",
		// So long that a kill finds some under way.
		Handler: http.HandlerFunc(func(writer http.ResponseWriter, _ *http.Request) {
			time.Sleep(100 * time.Millisecond)
			io.WriteString(writer, "it serves\n")
		}),
		ConnState: func(_ net.Conn, state http.ConnState) {
			switch state {
			case http.StateNew:
				log.WriteString("+")
			case http.StateClosed:
				log.WriteString("-")
			}
		},
	}
	server.SetKeepAlivesEnabled(false)
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM)
	go server.ListenAndServe()
	<-stop
	time.Sleep(2 * time.Second)
	server.Shutdown(context.Background())
}
