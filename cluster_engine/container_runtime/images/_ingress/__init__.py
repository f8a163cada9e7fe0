"""The Ingress controller of NGINX (ingress-nginx), as far as courses need it."""
