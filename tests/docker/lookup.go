// Looks a service up the way the predecessor's readme shows it, and prints where it is.
package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
)

func getServiceEndpoint(name string) (string, error) {
	var addrs []*net.SRV
	var err error
	if _, addrs, err = net.LookupSRV("", "", name); err != nil {
		return "", err
	}
	for _, addr := range addrs {
		return strings.TrimRight(addr.Target, ".") + ":" + strconv.Itoa(int(addr.Port)), nil
	}
	return "", errors.New("No record found")
}

func main() {
	endpoint, err := getServiceEndpoint(os.Args[1])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(endpoint)
}
