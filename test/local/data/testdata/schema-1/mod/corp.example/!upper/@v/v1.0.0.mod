module corp.example/Upper
