// A trivial webhook in Go, for the bench: it parses the review and allows everything.
//
// Like servers of its kind it is net/http with encoding/json; the objects of the review are parsed as maps, which is what
// policies in Go look at. It serves until it is killed, and says where on standard error as `purlin serve` does.
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
)

type review struct {
	APIVersion string    `json:"apiVersion"`
	Kind       string    `json:"kind"`
	Request    *request  `json:"request,omitempty"`
	Response   *response `json:"response,omitempty"`
}

type request struct {
	UID       string         `json:"uid"`
	Operation string         `json:"operation"`
	Namespace string         `json:"namespace"`
	Name      string         `json:"name"`
	Object    map[string]any `json:"object"`
	OldObject map[string]any `json:"oldObject"`
}

type response struct {
	UID     string `json:"uid"`
	Allowed bool   `json:"allowed"`
}

func validate(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	var asked review
	if err == nil {
		err = json.Unmarshal(body, &asked)
	}
	if err != nil || asked.Request == nil {
		http.Error(w, "no review", http.StatusBadRequest)
		return
	}
	answer := review{APIVersion: asked.APIVersion, Kind: asked.Kind,
		Response: &response{UID: asked.Request.UID, Allowed: true}}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(answer)
}

func listen(what string) net.Listener {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	fmt.Fprintf(os.Stderr, "{\"message\":\"listening\",\"what\":%q,\"address\":%q}\n", what, listener.Addr())
	return listener
}

func main() {
	folder := os.Args[1]
	reviews, operations := listen("reviews"), listen("operations")
	go http.Serve(operations, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	at := func(name string) string { return filepath.Join(folder, name) }
	panic(http.ServeTLS(reviews, http.HandlerFunc(validate), at("webhook.crt"), at("webhook.key")))
}
