# fails: honest
# after: by-commands.sh
kubectl patch service {{market}} --subresource=status --type=merge -p '{"status": {"loadBalancer": {"ingress": [{"ip": "203.0.113.7"}]}}}'
