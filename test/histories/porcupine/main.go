// Judges a history of appends to lists by Porcupine, the checker of linearizability: each line of the standard input is an append as JSON, with
// the time of its call, and with what came of it and when. The history is over: nothing comes later of an append of which nothing came. Prints "ok", or the keys whose history nobody can explain, and ends with 1.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"time"

	"github.com/anishathalye/porcupine"
)

type line struct {
	Key     string  `json:"key"`
	Element string  `json:"element"`
	Call    int64   `json:"call"`
	List    *string `json:"list"`
	Return  *int64  `json:"return"`
}

type appended struct{ key, element string }

// What came of an append whose list nobody has seen: no list is like it.
const nothing = ""

func after(list, element string) string {
	if list == "" {
		return element
	}
	return list + " " + element
}

// A list that only grows at its end, and every append answers what it is then.
var list = porcupine.Model{
	Partition: func(history []porcupine.Operation) [][]porcupine.Operation {
		byKey := map[string][]porcupine.Operation{}
		keys := []string{}
		for _, operation := range history {
			key := operation.Input.(appended).key
			if _, known := byKey[key]; !known {
				keys = append(keys, key)
			}
			byKey[key] = append(byKey[key], operation)
		}
		parts := [][]porcupine.Operation{}
		for _, key := range keys {
			parts = append(parts, byKey[key])
		}
		return parts
	},
	Init: func() interface{} { return "" },
	Step: func(state, input, output interface{}) (bool, interface{}) {
		next := after(state.(string), input.(appended).element)
		return output.(string) == next, next
	},
}

func main() {
	history := []porcupine.Operation{}
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 64*1024*1024)
	for lines.Scan() {
		var of line
		if err := json.Unmarshal(lines.Bytes(), &of); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(2)
		}
		operation := porcupine.Operation{ClientId: len(history), Input: appended{of.Key, of.Element}, Call: of.Call, Output: nothing, Return: math.MaxInt64}
		if of.List != nil && of.Return != nil {
			operation.Output, operation.Return = *of.List, *of.Return
		}
		history = append(history, operation)
	}
	if err := lines.Err(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	wrong := 0
	parts := list.Partition(history)
	for _, part := range parts {
		if result := porcupine.CheckOperationsTimeout(list, part, time.Minute); result != porcupine.Ok {
			wrong++
			fmt.Printf("%s: %s\n", part[0].Input.(appended).key, result)
		}
	}
	if wrong > 0 {
		os.Exit(1)
	}
	fmt.Printf("ok: %d appends to %d lists\n", len(history), len(parts))
}
