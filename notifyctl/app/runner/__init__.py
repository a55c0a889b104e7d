"""`run`: a service that plans, applies what is accepted and due, and reports what needs attention."""
